-- How long a row rests after so many failures in a row: 15 s doubling to 1 h, and of that a random part between one half and the
-- whole, so that rows that failed together do not come back together.
CREATE FUNCTION balance_sync_backoff(failures integer) RETURNS interval LANGUAGE sql VOLATILE AS $$
    SELECT least(interval '15 s' * 2 ^ greatest(least(coalesce(failures, 0), 8), 0), interval '1 h') * (0.5 + random() / 2)
$$;
