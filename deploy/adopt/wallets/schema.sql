-- An application's tables before balance-sync: each wallet has one address, in a column of wallets. Nothing here is ours.
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
    id      uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    address varchar(128)
);

CREATE TABLE wallet_balances (
    id                     uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    wallet_id              uuid        REFERENCES wallets,
    asset_on_chain_id      uuid        REFERENCES asset_on_chain,
    on_chain_balance_raw   text,
    on_chain_balance_human numeric,
    processing_status      text        DEFAULT 'idle',
    locked_until           timestamptz,
    locked_by              text,
    last_checked           timestamptz,
    last_processed_at      timestamptz,
    last_error             text,
    last_error_at          timestamptz,
    sync_count             integer     DEFAULT 0,
    error_count            integer     DEFAULT 0,
    created_at             timestamptz DEFAULT now(),
    updated_at             timestamptz DEFAULT now()
);

CREATE UNIQUE INDEX wallet_balances_wallet_asset ON wallet_balances (wallet_id, asset_on_chain_id);

-- The queue of the loop that balance-sync replaces. It names columns that every claim and every apply changes: see cleanup.sql.
CREATE INDEX wallet_balances_queue ON wallet_balances (last_checked) WHERE processing_status = 'idle';
