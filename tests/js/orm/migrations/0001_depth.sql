ALTER TABLE "drizzle_ports" ADD COLUMN "depth" numeric(5, 1);--> statement-breakpoint
UPDATE "drizzle_ports" SET "depth" = 8.5;
