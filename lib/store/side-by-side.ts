/** As `Promise.all`, but when it rejects nothing is under way any more: what comes next may undo all of it. */
export async function sideBySide<T extends readonly unknown[]>(
  work: {
    [Index in keyof T]: T[Index] | Promise<T[Index]>;
  },
): Promise<T> {
  try {
    return (await Promise.all(work)) as unknown as T;
  } catch (error) {
    await Promise.allSettled(work);
    throw error;
  }
}
