// A statement over each road, with all that the driver tells of its end.

import { neon, Pool } from '@neondatabase/serverless';

import { databaseUrl } from './endpoint.js';

/** Every field that the driver copies from a server's error over HTTP; with the message, these are the error. */
export const ERROR_FIELDS = [
  'severity', 'code', 'detail', 'hint', 'position', 'internalPosition', 'internalQuery', 'where', 'schema', 'table',
  'column', 'dataType', 'constraint', 'file', 'line', 'routine',
];

const FIELD_KEYS = ['name', 'dataTypeID', 'tableID', 'columnID', 'dataTypeSize', 'dataTypeModifier', 'format'];

const sql = neon(databaseUrl, { fullResults: true });

/** Runs a statement over HTTP; gives its result or its error, as plain objects. */
export function overHttp(text, params = [], arrayMode = false) {
  return outcome(sql.query(text, params, { arrayMode }));
}

/** Runs a statement over WebSocket, by this session; gives its result or its error, as plain objects. */
export function overWebSocket(session, text, params = [], arrayMode = false) {
  return outcome(session.query({ text, values: params, rowMode: arrayMode ? 'array' : undefined }));
}

/** Opens a pool that a comparison can use, as small as that needs. */
export function pool(options) {
  return new Pool({ connectionString: databaseUrl, max: 1, ...options });
}

/** Gives an error's message and fields, absent ones undefined. */
export function told(error) {
  return { message: error.message, ...only(error, ERROR_FIELDS) };
}

async function outcome(running) {
  try {
    const { rows, fields, command, rowCount } = await running;
    return { result: { rows, fields: fields.map((field) => only(field, FIELD_KEYS)), command, rowCount } };
  } catch (error) {
    return { error: told(error) };
  }
}

function only(object, keys) {
  return Object.fromEntries(keys.map((key) => [key, object[key]]));
}
