/** What stands in the API's replies for a value that is not shown. */
export const MASK = '•••';
