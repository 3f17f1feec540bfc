/** Where the programs' interface is found; apart from its code, which is loaded when it is asked for. */

/** Below the root of Node-RED's admin API. */
export const API_ROOT = '/q2c/api/v1';

/** Lookups, below the root of Node-RED's own HTTP nodes. */
export const LOOKUP_ROOT = '/q2c/v1';
