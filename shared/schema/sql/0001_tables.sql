-- The reference tables, for a database that has none: a chain, an asset on a chain, a wallet, and the balance of one in the other.
-- Skipped as a whole where wallet_balances exists. An adopted schema keeps its own tables and says where they are by the three views.
CREATE TABLE chains (
    id        uuid    PRIMARY KEY DEFAULT gen_random_uuid(),
    name      text    NOT NULL UNIQUE,
    is_active boolean NOT NULL DEFAULT true
);

CREATE TABLE asset_on_chain (
    id               uuid    PRIMARY KEY DEFAULT gen_random_uuid(),
    chain_id         uuid    NOT NULL REFERENCES chains,
    asset_id         uuid,
    symbol           text,
    contract_address text,
    decimals         integer,
    is_native        boolean NOT NULL DEFAULT false
);

CREATE TABLE wallets (
    id      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    address text
);

-- No foreign keys, as in the schema that this one stands for: a row whose wallet or asset is gone is a row error, not a refused insert.
CREATE TABLE wallet_balances (
    id                     uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    wallet_id              uuid,
    asset_on_chain_id      uuid,
    on_chain_balance_raw   text,                        -- smallest units, a canonical decimal
    on_chain_balance_human numeric,                     -- raw shifted by the asset's decimals, exact
    processing_status      text        DEFAULT 'idle',  -- the mutex that we share with other workers
    locked_until           timestamptz,
    locked_by              text,
    last_checked           timestamptz,
    last_processed_at      timestamptz,
    last_error             text,
    last_error_at          timestamptz,
    sync_count             integer     DEFAULT 0,
    error_count            integer     DEFAULT 0,       -- consecutive
    created_at             timestamptz DEFAULT now(),
    updated_at             timestamptz DEFAULT now()
);

CREATE UNIQUE INDEX wallet_balances_wallet_asset ON wallet_balances (wallet_id, asset_on_chain_id);
