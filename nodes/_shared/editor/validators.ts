import { orVariable } from './variables';

/** All of them take a variable too: it is known to the host only what it holds. */

/** A whole number of at least one. */
export const wholeNumber: Validator<unknown> = orVariable(function (value, _options) {
  return /^[1-9]\d{0,8}$/.test(value.trim()) || this._('validator.wholeNumber');
});

/** A whole number of at least one, or the name of an environment variable that holds it: `${PORT}`. */
export const wholeNumberOrVariable: Validator<unknown> = function (value, _options) {
  return /^([1-9]\d{0,8}|\$\{\w+\})$/.test(value.trim()) || this._('validator.wholeNumberOrVariable');
};

/** Empty, or a whole number of at least one. */
export const wholeNumberOrEmpty: Validator<unknown> = orVariable(function (value, _options) {
  return /^([1-9]\d{0,8})?$/.test(value.trim()) || this._('validator.wholeNumber');
});

/** Empty, a whole number of at least one, or the name of an environment variable that holds it: `${BRANCHES}`. */
export const wholeNumberVariableOrEmpty: Validator<unknown> = function (value, _options) {
  return /^([1-9]\d{0,8}|\$\{\w+\})?$/.test(value.trim()) || this._('validator.wholeNumberOrVariable');
};

/** Empty, 0 for ever, or a whole number of days, at least `minimum`. Flows saved before the field have none. */
export function daysOrEmpty(minimum: number): Validator<unknown> {
  return orVariable(function (value = '', _options) {
    const text = String(value).trim();
    const days = Number(text);
    const isDays = /^\d{1,6}$/.test(text) && (days === 0 || days >= minimum);
    return text === '' || isDays || this._('validator.days', { minimum });
  });
}

/** Empty, or an instant in UTC such as `2026-01-31T00:00:00Z`. */
export const instantOrEmpty: Validator<unknown> = orVariable(function (value, _options) {
  const text = value.trim();
  const instant =
    /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z$/.test(text) && !Number.isNaN(Date.parse(text));
  return text === '' || instant || this._('validator.instant');
});

/** One of the values that a picker offers. */
export function oneOf(values: readonly string[]): Validator<unknown> {
  return orVariable(function (value, _options) {
    return values.includes(value) || this._('validator.choose');
  });
}

/** A name that may stand in keys and addresses. */
export const shortName: Validator<unknown> = orVariable(function (value, _options) {
  return /^[a-z0-9][a-z0-9-]*$/.test(value) || this._('validator.shortName');
});

/** Address of an MQTT broker, or an environment variable that holds one. */
export const brokerUrl: Validator<unknown> = function (value, _options) {
  return /^mqtts?:\/\/[^\s@/]+$|\$\{[^}]+\}/.test(value.trim()) || this._('validator.brokerUrl');
};

/** Empty, or an MQTT topic filter. */
export const topicFilterOrEmpty: Validator<unknown> = orVariable(function (value, _options) {
  const levels = value.trim().split('/');
  const valid = levels.every((level, at) =>
    level === '#' ? at === levels.length - 1 : level === '+' || !/[+#]/.test(level),
  );
  return valid || this._('validator.topic');
});

/** Empty, or a name that MQTT allows for a group of subscribers. */
export const groupOrEmpty: Validator<unknown> = orVariable(function (value, _options) {
  return !/[/+#]/.test(value) || this._('validator.group');
});
