/** The file of `Pool` alone, which the package gives no types of its own. */
declare module 'undici/lib/dispatcher/pool.js' {
  export { Pool as default } from 'undici';
}
