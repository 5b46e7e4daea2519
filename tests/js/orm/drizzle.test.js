// One after the other: the migrations of both make the same table.

import './drizzle-http.js';
import './drizzle-websocket.js';
