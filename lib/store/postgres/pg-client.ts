/** The driver for PostgreSQL, built to a file of its own: hosts on the embedded store never load it. */
export { default as pg } from 'pg';
