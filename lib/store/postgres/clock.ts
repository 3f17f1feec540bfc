import type { Instant } from '../../model';

/**
 * The database's clock, told between two measurements by this machine's monotonic clock: neither a wrong wall clock of
 * this host nor a correction of it ever shows.
 */
export class DatabaseClock {
  /** Database time (epoch ms) at the zero of the monotonic clock. */
  private origin = Number.NaN;

  /**
   * Takes a reading of the database's clock made between two moments of `performance.now()`. What we have is kept
   * when the reading may confirm it, so that slow answers do not move the clock.
   * @param databaseMs epoch ms
   */
  measured(databaseMs: number, sentAt: number, receivedAt: number): void {
    const origin = databaseMs - (sentAt + receivedAt) / 2;
    if (Math.abs(origin - this.origin) <= (receivedAt - sentAt) / 2) return;
    this.origin = origin;
  }

  now(): Instant {
    return new Date(this.origin + performance.now()).toISOString();
  }
}
