/** A value that Node-RED takes from an environment variable before the node sees it: `${NAME}`. */
export const isVariable = (value: unknown): boolean =>
  typeof value === 'string' && /^\$\{[^{}]+\}$/.test(value.trim());
