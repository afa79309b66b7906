-- Made by `python -m workloads.tsql`.
BEGIN TRANSACTION;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

GO

-- Running upgrade  -> 0001

CREATE TABLE user_key (
    user_id UNIQUEIDENTIFIER NOT NULL, 
    wrapped VARBINARY(1024) NOT NULL, 
    wrapping_key NVARCHAR(400) NOT NULL, 
    CONSTRAINT pk_user_key PRIMARY KEY (user_id)
);

GO

CREATE TABLE account (
    id UNIQUEIDENTIFIER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    identity_index NVARCHAR(64) NOT NULL, 
    bank NVARCHAR(40) NOT NULL, 
    number VARBINARY(500) NULL, 
    number_masked NVARCHAR(10) NULL, 
    currency NVARCHAR(3) NULL, 
    name NVARCHAR(140) NULL, 
    kind NVARCHAR(35) NULL, 
    consent_id UNIQUEIDENTIFIER NOT NULL, 
    bank_consent_id UNIQUEIDENTIFIER NOT NULL, 
    bank_account_id UNIQUEIDENTIFIER NOT NULL, 
    connected BIT NOT NULL, 
    updated DATETIMEOFFSET NOT NULL, 
    CONSTRAINT pk_account PRIMARY KEY (id), 
    CONSTRAINT uq_account_identity UNIQUE (user_id, identity_index)
);

GO

CREATE TABLE balance (
    account_id UNIQUEIDENTIFIER NOT NULL, 
    kind NVARCHAR(40) NOT NULL, 
    currency NVARCHAR(3) NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    minor BIGINT NOT NULL, 
    date DATETIME NULL, 
    [read] DATETIMEOFFSET NOT NULL, 
    CONSTRAINT pk_balance PRIMARY KEY (account_id, kind, currency), 
    CONSTRAINT fk_balance_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);

GO

INSERT INTO alembic_version (version_num) OUTPUT inserted.version_num VALUES ('0001');

GO

-- Running upgrade 0001 -> 0002

CREATE TABLE outbox_event (
    sequence BIGINT NOT NULL IDENTITY, 
    event_id UNIQUEIDENTIFIER NOT NULL, 
    [key] NVARCHAR(40) NOT NULL, 
    envelope NVARCHAR(max) NOT NULL, 
    refused NVARCHAR(400) NULL, 
    CONSTRAINT pk_outbox_event PRIMARY KEY (sequence)
);

GO

CREATE TABLE relay_turn (
    id INTEGER NOT NULL, 
    CONSTRAINT pk_relay_turn PRIMARY KEY (id)
);

GO

SET IDENTITY_INSERT relay_turn ON;

GO

INSERT INTO relay_turn (id) VALUES (1);

GO

SET IDENTITY_INSERT relay_turn OFF;

GO

CREATE TABLE handled_event (
    source NVARCHAR(60) NOT NULL, 
    event_id UNIQUEIDENTIFIER NOT NULL, 
    at DATETIMEOFFSET NOT NULL, 
    CONSTRAINT pk_handled_event PRIMARY KEY (source, event_id)
);

GO

CREATE INDEX ix_handled_event_at ON handled_event (at);

GO

UPDATE alembic_version SET version_num='0002' WHERE alembic_version.version_num = '0001';

GO

-- Running upgrade 0002 -> 0003

ALTER TABLE account ADD uk_number BIT NOT NULL DEFAULT 0;

GO

UPDATE alembic_version SET version_num='0003' WHERE alembic_version.version_num = '0002';

GO

COMMIT;

GO

