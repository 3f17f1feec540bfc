import type { ResourceLimits } from 'node:worker_threads';

/**
 * Of a thread that works as long as its host does. Young objects of a thread live for one call, so more room for them
 * spares nothing; unless it is told, V8 doubles it up to 128 MB, minutes after the start.
 */
export const THREAD_LIMITS: ResourceLimits = { maxYoungGenerationSizeMb: 48 };
