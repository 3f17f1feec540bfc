/** Of a check box; an environment variable gives its text: `${LOOKUPS}` that holds `true`. */
export const isOn = (value: boolean | string): boolean => value === true || value === 'true';
