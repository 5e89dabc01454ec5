// A worker that has the WebSocket of its page.
import '@vesper-gpu/transport/websocket-worker';
