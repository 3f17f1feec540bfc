/** A whole number of at least one. */
export const wholeNumber: Validator<unknown> = function (value, _options) {
  return /^[1-9]\d{0,8}$/.test(value.trim()) || this._('validator.wholeNumber');
};

/** A whole number of at least one, or the name of an environment variable that holds it: `${PORT}`. */
export const wholeNumberOrVariable: Validator<unknown> = function (value, _options) {
  return /^([1-9]\d{0,8}|\$\{\w+\})$/.test(value.trim()) || this._('validator.wholeNumberOrVariable');
};

/** Empty, or a whole number of at least one. */
export const wholeNumberOrEmpty: Validator<unknown> = function (value, _options) {
  return /^([1-9]\d{0,8})?$/.test(value.trim()) || this._('validator.wholeNumber');
};

/** Empty, or an instant in UTC such as `2026-01-31T00:00:00Z`. */
export const instantOrEmpty: Validator<unknown> = function (value, _options) {
  const text = value.trim();
  const instant =
    /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z$/.test(text) && !Number.isNaN(Date.parse(text));
  return text === '' || instant || this._('validator.instant');
};

/** One of the values that a picker offers. */
export function oneOf(values: readonly string[]): Validator<unknown> {
  return function (value, _options) {
    return values.includes(value) || this._('validator.choose');
  };
}

/** A name that may stand in keys and addresses. */
export const shortName: Validator<unknown> = function (value, _options) {
  return /^[a-z0-9][a-z0-9-]*$/.test(value) || this._('validator.shortName');
};
