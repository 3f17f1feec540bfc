import { SqliteAdapter, type SqliteDatabase, SqliteDialect } from 'kysely';

/**
 * SQLite changes tables within transactions, but Kysely does not use that: a host that was killed in the middle of an
 * upgrade would find half of the tables, and could never open its store again.
 */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class TransactionalDialect extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new TransactionalAdapter();
  }
}

/** Kysely's dialect of SQLite, which upgrades all or nothing. */
export function sqliteDialect(database: SqliteDatabase): SqliteDialect {
  return new TransactionalDialect({ database });
}
