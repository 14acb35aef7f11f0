-- Which chains there are. name is what the configuration names, in lower case; a chain that is not active is not claimed.
-- The casts fix the types, so that the view can be replaced later without dropping it and its grants.
CREATE VIEW balance_sync_chains AS
SELECT id AS chain_id, lower(name)::text AS name, coalesce(is_active, false) AS active
  FROM chains;
