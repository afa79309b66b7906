-- Made by `python -m workloads.tsql`.
BEGIN TRANSACTION;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

GO

-- Running upgrade  -> 0001

CREATE TABLE series (
    id UNIQUEIDENTIFIER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    party NVARCHAR(32) NOT NULL, 
    currency NVARCHAR(3) NOT NULL, 
    every NVARCHAR(10) NOT NULL, 
    day INTEGER NOT NULL, 
    minor BIGINT NOT NULL, 
    spread BIGINT NOT NULL, 
    first DATETIME NOT NULL, 
    last DATETIME NOT NULL, 
    next DATETIME NOT NULL, 
    count INTEGER NOT NULL, 
    missed INTEGER NOT NULL, 
    ended BIT NOT NULL, 
    ignored BIT NOT NULL, 
    name NVARCHAR(60) NULL, 
    category NVARCHAR(60) NOT NULL, 
    merchant NVARCHAR(80) NULL, 
    transaction_id UNIQUEIDENTIFIER NOT NULL, 
    CONSTRAINT pk_series PRIMARY KEY (id)
);

GO

CREATE INDEX ix_series_user_id_party ON series (user_id, party);

GO

CREATE TABLE fact (
    transaction_id UNIQUEIDENTIFIER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    version BIGINT NOT NULL, 
    account_id UNIQUEIDENTIFIER NOT NULL, 
    date DATETIME NOT NULL, 
    minor BIGINT NOT NULL, 
    currency NVARCHAR(3) NOT NULL, 
    status NVARCHAR(10) NOT NULL, 
    category NVARCHAR(60) NOT NULL, 
    merchant NVARCHAR(80) NULL, 
    party NVARCHAR(32) NOT NULL, 
    transfer BIT NOT NULL, 
    removed BIT NOT NULL, 
    CONSTRAINT pk_fact PRIMARY KEY (transaction_id)
);

GO

CREATE INDEX ix_fact_user_id_date ON fact (user_id, date);

GO

CREATE INDEX ix_fact_user_id_party ON fact (user_id, party);

GO

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

CREATE TABLE task (
    kind NVARCHAR(40) NOT NULL, 
    subject UNIQUEIDENTIFIER NOT NULL, 
    item UNIQUEIDENTIFIER NOT NULL, 
    due DATETIMEOFFSET NOT NULL, 
    attempts INTEGER NOT NULL, 
    CONSTRAINT pk_task PRIMARY KEY (kind, subject, item)
);

GO

CREATE INDEX ix_task_due ON task (due);

GO

INSERT INTO alembic_version (version_num) OUTPUT inserted.version_num VALUES ('0001');

GO

-- Running upgrade 0001 -> 0002

CREATE TABLE account_read (
    account_id UNIQUEIDENTIFIER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    at DATETIMEOFFSET NOT NULL, 
    CONSTRAINT pk_account_read PRIMARY KEY (account_id)
);

GO

UPDATE alembic_version SET version_num='0002' WHERE alembic_version.version_num = '0001';

GO

COMMIT;

GO

