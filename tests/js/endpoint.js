// What the harness says of the gateway, and the driver's settings for it: the endpoint and nothing else.

import { neonConfig } from '@neondatabase/serverless';
import ws from 'ws';

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: these tests are run by \`cargo xtask test\``);
  return value;
}

export const databaseUrl = required('DATABASE_URL');

export const httpUrl = required('HTTP_URL');
/** How a WebSocket's session logs in: cleartext or relay. */
export const wsAuth = required('WS_AUTH');
/** The origin of the one page that the gateway lets in. */
export const origin = required('ORIGIN');

export const wsUrl = new URL(required('WS_URL'));

neonConfig.fetchEndpoint = () => httpUrl;
neonConfig.wsProxy = (host, port) => `${wsUrl.host}${wsUrl.pathname}?address=${host}:${port}`;
neonConfig.useSecureWebSocket = wsUrl.protocol === 'wss:';
// Node has a WebSocket of its own from version 22 on.
if (!globalThis.WebSocket) neonConfig.webSocketConstructor = ws;
// The driver sends the password before it has been asked, which fits only a server that asks for cleartext.
if (wsAuth === 'relay') neonConfig.pipelineConnect = false;
