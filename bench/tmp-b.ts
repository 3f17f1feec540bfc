import { World, templateFlow } from '../test/support/world';
async function main() {
  const flow = templateFlow((n)=>{ if(n.type==='debug') n.active=false; if (n.type==='q2c-salesforce-events') n.interval='5',n.concurrency='16';});
  const w = await World.start(flow);
  const [acc] = await w.simulator.records('netsuite','account'); await w.simulator.patch('netsuite','account',acc!.id,{concurrencyLimit:1000});
  const c0 = await w.simulator.requestCount();
  const t0=performance.now();
  const n = Number(process.argv[2] ?? 1);
  await w.simulator.closeDeals(n);
  console.log('closed', performance.now()-t0);
  await w.settled(n);
  console.log('done', performance.now()-t0, (await w.simulator.requestCount())-c0);
  if (n===1) for (const s of ['salesforce','netsuite','kantata']) { const r = await w.simulator.control<any>('GET', s+'/requests'); for (const q of r.requests) console.log(s, q.method, q.path, q.status, q.ms); }
  const runs = await w.runs();
  const first = Math.min(...runs.map(r=>Date.parse(r.startedAt!))), last=Math.max(...runs.map(r=>Date.parse(r.endedAt!)));
  console.log('window ms', last-first, 'states', runs.map(r=>r.state).reduce((a:any,s)=>({...a,[s]:(a[s]||0)+1}),{}));
  const { readFileSync } = await import('node:fs');
  const cpu = (pid:number)=>{const f=readFileSync('/proc/'+pid+'/stat','utf8').split(') ')[1]!.split(' ');return (Number(f[11])+Number(f[12]))*10;};
  console.log('cpu ms host', cpu((w.host as any).process.pid), 'sim', cpu((w.simulator as any).child.pid));
  await w.stop();
}
main().catch(e=>{console.error(e);process.exit(1)});
