import { ControlError, type SimulatedSystem } from '../../../simulator/kit/types';

/** The smallest vendor: notes behind a token. `POST /notes?fail=1` writes and then throws; `/slow/notes` answers asynchronously. */
export const toySystem: SimulatedSystem = {
  id: 'toy',
  indexes: ['Note.title'],
  seed({ db }, world) {
    db.insert('Note', 'n0', { title: 'seeded', text: `seed ${world.seed}` });
    db.setValue('token', 't1');
  },
  credentials: ({ db }) => ({ token: { token: db.getValue('token') ?? '' } }),
  handle(request, { db, partialPage }) {
    if (request.headers.authorization !== `Bearer ${db.getValue('token')}`) {
      return { status: 401, body: { error: 'expired' } };
    }
    const work = () => {
      if (request.method === 'GET') {
        const notes = db.list('Note').map((note) => note.data);
        return {
          status: 200,
          headers: { 'X-Count': String(notes.length) },
          body: partialPage ? notes.slice(0, 1) : notes,
        };
      }
      const data: Record<string, unknown> = JSON.parse(request.body);
      const id = `n${db.next('note')}`;
      db.insert('Note', id, data);
      if (request.query.has('fail')) throw new Error('a bug of the toy, thrown on purpose by its test');
      return { status: 201, body: { id } };
    };
    return request.path.startsWith('/slow')
      ? new Promise((resolve) => setImmediate(resolve)).then(work)
      : work();
  },
  rateLimited: () => ({ status: 429, headers: { 'Retry-After': '1' }, body: { error: 'slow down' } }),
  failure: (status) => ({ status, body: { error: `failed with ${status}` } }),
  expireTokens: ({ db }) => db.setValue('token', `t${db.next('token') + 1}`),
  control: {
    types: ['Note'],
    create(type, data, { db }) {
      if (typeof data.title !== 'string') throw new ControlError('TITLE_MISSING', 'A note needs a title');
      return db.insert(type, `n${db.next('note')}`, data);
    },
    patch: (type, id, data, { db }) => db.update(type, id, { ...db.get(type, id)?.data, ...data }),
    routes: [
      {
        method: 'POST',
        path: 'notes/burn',
        handle(_body, { db }) {
          const notes = db.list('Note');
          for (const note of notes) db.remove('Note', note.id);
          return { burnt: notes.length };
        },
      },
    ],
  },
};
