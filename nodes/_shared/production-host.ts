/** Node.js was told that this host is no place to try things. */
export const isProductionHost = (): boolean => process.env.NODE_ENV === 'production';
