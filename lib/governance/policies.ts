import { fingerprint } from '../model';
import { type CasePolicy, defaultCasePolicy } from '../rules';

export interface KnownPolicy {
  version: string;
  policy: CasePolicy;
}

const versions = new WeakMap<CasePolicy, string>();

/** Name of the policy's version and a digest of its content: two contents never pass for one version. */
export function policyVersion(policy: CasePolicy): string {
  const known = versions.get(policy) ?? `${policy.version}@${fingerprint(policy).slice(0, 12)}`;
  versions.set(policy, known);
  return known;
}

/** The policies of the deployed firms, and earlier ones by which cases that are still there were routed. */
export class Policies {
  private readonly byVersion = new Map<string, CasePolicy>();
  /** Version by the firm that uses it. */
  private readonly inUse = new Map<string, string>();
  private readonly fallback = this.remember(defaultCasePolicy);

  /** A firm goes by this policy from now on; without one, by the default. */
  use(firm: string, policy: CasePolicy = defaultCasePolicy): void {
    this.inUse.set(firm, this.remember(policy).version);
  }

  release(firm: string): void {
    this.inUse.delete(firm);
  }

  remember(policy: CasePolicy): KnownPolicy {
    const version = policyVersion(policy);
    this.byVersion.set(version, policy);
    return { version, policy };
  }

  /** The policy of that version; of what has none, that of the only firm; else the default. */
  find(version: string | null | undefined): KnownPolicy {
    const [only, ...others] = new Set(this.inUse.values());
    for (const candidate of [version, others.length === 0 ? only : undefined]) {
      const policy = this.byVersion.get(candidate ?? '');
      if (candidate && policy !== undefined) return { version: candidate, policy };
    }
    return this.fallback;
  }
}
