/** As `Promise.all`, but when it rejects nothing is under way any more: what comes next may undo all of it. */
export async function sideBySide<T extends readonly unknown[]>(
  work: {
    [Index in keyof T]: T[Index] | Promise<T[Index]>;
  },
): Promise<T> {
  const done = await Promise.allSettled(work);
  const failed = done.find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
  return done.map((each) => (each.status === 'fulfilled' ? each.value : undefined)) as unknown as T;
}
