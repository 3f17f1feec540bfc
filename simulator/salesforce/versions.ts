/** API versions: three a year, named after seasons. 40 was Summer '17, 67 is Summer '26. */

const FIRST = 40;
const LAST = 67;
const SEASONS = ['Summer', 'Winter', 'Spring'] as const;

export function isVersion(segment: string): boolean {
  const version = Number(/^v(\d+)\.0$/.exec(segment)?.[1]);
  return version >= FIRST && version <= LAST;
}

/** `GET /services/data/`, oldest first. */
export function versionList(): { label: string; url: string; version: string }[] {
  return Array.from({ length: LAST - FIRST + 1 }, (_, i) => {
    const version = `${FIRST + i}.0`;
    const year = 17 + Math.floor((i + 2) / SEASONS.length);
    return { label: `${SEASONS[i % SEASONS.length]} '${year}`, url: `/services/data/v${version}`, version };
  });
}

/** `GET /services/data/vNN.N`: the resources that are there. */
export function versionResources(version: string): Record<string, string> {
  const names = ['sobjects', 'query', 'queryAll', 'limits', 'composite'];
  return Object.fromEntries(names.map((name) => [name, `/services/data/v${version}/${name}`]));
}
