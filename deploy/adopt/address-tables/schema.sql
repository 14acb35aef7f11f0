-- An application's tables before balance-sync: a wallet's addresses are in one of two tables, each for one chain or for all of them. Names
-- and types differ from ours in several places. Nothing here is ours.
CREATE TABLE chains (
    id      uuid    PRIMARY KEY DEFAULT gen_random_uuid(),
    slug    varchar(32) NOT NULL UNIQUE,
    title   text,
    enabled boolean
);

-- A native coin has no token_address.
CREATE TABLE asset_on_chain (
    id             uuid     PRIMARY KEY DEFAULT gen_random_uuid(),
    chain_id       uuid     NOT NULL REFERENCES chains,
    ticker         text,
    token_address  varchar(64),
    token_decimals smallint
);

CREATE TABLE user_wallet_addresses (
    id        uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    wallet_id uuid         NOT NULL,
    user_id   uuid,
    chain_id  uuid         REFERENCES chains,   -- null: the same address on every chain
    address   varchar(128) NOT NULL,
    is_active boolean
);
CREATE INDEX user_wallet_addresses_wallet ON user_wallet_addresses (wallet_id);

CREATE TABLE operation_wallet_addresses (
    id        uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    wallet_id uuid         NOT NULL,
    purpose   text         NOT NULL DEFAULT 'hot',
    chain_id  uuid         REFERENCES chains,
    address   varchar(128) NOT NULL,
    is_active boolean
);
CREATE INDEX operation_wallet_addresses_wallet ON operation_wallet_addresses (wallet_id);

CREATE TABLE wallet_balances (
    id                     uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    wallet_id              uuid        NOT NULL,
    asset_on_chain_id      uuid        NOT NULL REFERENCES asset_on_chain,
    on_chain_balance_raw   text,
    on_chain_balance_human numeric,
    reserved_amount        numeric     NOT NULL DEFAULT 0,   -- the application's bookkeeping
    processing_status      varchar(32) DEFAULT 'idle',
    locked_until           timestamptz,
    locked_by              varchar(255),
    last_checked           timestamptz,
    last_processed_at      timestamptz,
    last_error             text,
    last_error_at          timestamptz,
    sync_count             bigint      DEFAULT 0,
    error_count            integer     DEFAULT 0,
    created_at             timestamptz DEFAULT now(),
    updated_at             timestamptz DEFAULT now(),
    UNIQUE (wallet_id, asset_on_chain_id)
);
