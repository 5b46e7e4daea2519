// Clients for one test each.

import { Client } from '@neondatabase/serverless';

import { databaseUrl } from '../endpoint.js';

/** Runs this with clients that are connected, as many as it takes, and ends them. */
export async function withClients(use, options) {
  const clients = Array.from({ length: use.length }, () => new Client({ connectionString: databaseUrl, ...options }));
  await Promise.all(clients.map((client) => client.connect()));
  try {
    return await use(...clients);
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
}
