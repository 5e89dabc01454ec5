/** The name of a limit, or of a number that says as much; and a number. Bounded, as the texts hold a guest's labels. */
const LIMIT = 'm(?:ax|in)[A-Za-z0-9]{1,60} of [0-9]{1,20}';
const NUMBER = '[0-9]{1,20}';

/**
 * What Dawn says in its messages of what the adapter could do, beyond what the device was asked to do.
 * These are all formats among the strings of its binary that hold such a number and that a guest can bring about.
 */
const OF_ADAPTERS: readonly (readonly [RegExp, string])[] = [
  // Whole where it can be, and also where a message was cut within it.
  [
    new RegExp(
      ` ?This adapter supports (?:a )?higher ${LIMIT}(?:,? (?:and )?${LIMIT}){0,8}` +
        '(?:, which can be specified in requiredLimits when calling requestDevice\\(\\)\\.' +
        '(?: Limits differ by hardware, so always check the adapter limits prior to requesting a higher limit\\.)?)?',
      'g',
    ),
    '',
  ],
  [new RegExp(`( than the supported limit) \\(${NUMBER}\\)`, 'g'), '$1'],
  [
    new RegExp(`(subgroup_size attribute \\(${NUMBER}\\) is not in the allowed range) \\(\\[[0-9, ]{1,50}\\]\\)`, 'g'),
    '$1',
  ],
  [new RegExp(`(number of subgroups per workgroup \\(${NUMBER}\\) exceeds the maximum) \\(${NUMBER}\\)`, 'g'), '$1'],
  [new RegExp(`(the device maxSubgroupSize) \\(${NUMBER}\\)`, 'g'), '$1'],
];

/** A message of the backend without what it tells of the adapter. */
export function withoutAdapter(message: string): string {
  return OF_ADAPTERS.reduce((text, [pattern, rest]) => text.replace(pattern, rest), message);
}
