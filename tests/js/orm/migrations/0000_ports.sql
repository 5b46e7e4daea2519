CREATE TABLE "drizzle_ports" (
	"id" serial PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	CONSTRAINT "drizzle_ports_name_unique" UNIQUE("name")
);
--> statement-breakpoint
INSERT INTO "drizzle_ports" ("name") VALUES ('Calais'), ('Dover');
