import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until this holds, or fails after half a minute. */
export async function until(holds) {
  for (let i = 0; i < 600; i++) {
    if (await holds()) return;
    await sleep(50);
  }
  throw new Error('waited for 30 s');
}
