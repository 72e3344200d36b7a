import { z } from 'zod';
import { minutes } from '../functions/common/duration.ts';
import { timestamp } from '../functions/common/ids.ts';
import { every } from '../functions/common/schedule.ts';
import { defineTask } from '../functions/common/task.ts';
import { audited } from '../functions/audit/audited.ts';
export const guardLease = defineTask({ name: 'guard-lease', summary: 'x', schedule: every(minutes(1)), runsIn: 'candidate', network: 'production', catchUp: false, timeout: minutes(3), needs: ['coordination:read','coordination:renew','fences:renew','fences:observe','network-fence:isolate'], input: z.strictObject({}),
 async run(_, ctx) { const { coordination, fences, clock, operations, region } = ctx; const began = clock.now().getTime(); const len = operations.failover.lease.length;
  for (let next = began; next < began+130000; next += operations.failover.lease.renewEvery*1000) { await clock.sleep(Math.max(0,next-clock.now().getTime()));
   try { const r = await coordination.read(); if (!r) continue;
    if (r.phase==='active') { const fs = await Promise.all(operations.databases.map(d=>fences.open(d.id, r.holder))); const ds = await Promise.all(fs.map(f=>f.clock())); const st = await Promise.all(fs.map(f=>f.state())); if (st.some(s=>s.isReplica)) continue; await coordination.replace({...r, leaseUntil: timestamp(new Date(clock.now().getTime()+len*1000)), fenced: st.every(s=>s.unfenced.length===0)}); await Promise.all(fs.map((f,i)=>f.renew({epoch:r.epoch, holder:r.holder, untilMicros: ds[i]!+len*1e6}))); }
    else if (r.phase==='claimed' && r.plan?.from===region) { if (await coordination.receipt(region, r.epoch)) continue; const fs = await Promise.all(operations.databases.map(async d=>({id:d.id,f:await fences.open(d.id, region)}))); await audited(ctx,{actor:'task/guard-lease',action:'close',resource:String(r.epoch)}, async()=>{ const dbs=await Promise.all(fs.map(async({id,f})=>({databaseId:id, position: await f.close(r.epoch)}))); await coordination.putReceipt({region, epoch:r.epoch, at: timestamp(clock.now()), databases: dbs}); }); }
   } catch (e) {} } } });
