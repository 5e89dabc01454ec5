// The formats and sizes that pipelines and targets must agree on.

/** Light, squeezed into [0, 1): half floats keep the dark tones smooth. */
export const LIGHT_FORMAT = 'rgba16float';
export const DEPTH_FORMAT = 'depth24plus';
export const PICTURE_FORMAT = 'rgba8unorm';
export const SHADOW_FORMAT = 'depth32float';
export const SHADOW_SIZE = 2048;
/** Levels of the glow; shaders/tonemap.wgsl divides by the same number. */
export const GLOW_LEVELS = 5;
