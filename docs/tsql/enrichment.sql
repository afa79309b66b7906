-- Made by `python -m workloads.tsql`.
BEGIN TRANSACTION;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

GO

-- Running upgrade  -> 0001

CREATE TABLE assignment (
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
    source NVARCHAR(10) NOT NULL, 
    transfer BIT NOT NULL, 
    removed BIT NOT NULL, 
    CONSTRAINT pk_assignment PRIMARY KEY (transaction_id)
);

GO

CREATE INDEX ix_assignment_user_id_party ON assignment (user_id, party);

GO

CREATE INDEX ix_assignment_user_id_date ON assignment (user_id, date);

GO

CREATE TABLE party_category (
    user_id UNIQUEIDENTIFIER NOT NULL, 
    party NVARCHAR(32) NOT NULL, 
    category NVARCHAR(60) NOT NULL, 
    CONSTRAINT pk_party_category PRIMARY KEY (user_id, party)
);

GO

CREATE TABLE category_rule (
    id UNIQUEIDENTIFIER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    created DATETIMEOFFSET NOT NULL, 
    words NVARCHAR(200) NOT NULL, 
    least BIGINT NULL, 
    most BIGINT NULL, 
    category NVARCHAR(60) NOT NULL, 
    CONSTRAINT pk_category_rule PRIMARY KEY (id)
);

GO

CREATE INDEX ix_category_rule_user_id ON category_rule (user_id, created);

GO

CREATE TABLE progress (
    user_id UNIQUEIDENTIFIER NOT NULL, 
    revision BIGINT NOT NULL, 
    version BIGINT NOT NULL, 
    CONSTRAINT pk_progress PRIMARY KEY (user_id)
);

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

ALTER TABLE party_category ADD said DATETIMEOFFSET NOT NULL DEFAULT '1970-01-01 00:00:00+00:00';

GO

UPDATE alembic_version SET version_num='0002' WHERE alembic_version.version_num = '0001';

GO

-- Running upgrade 0002 -> 0003

ALTER TABLE party_category ADD transaction_id UNIQUEIDENTIFIER NULL;

GO

UPDATE alembic_version SET version_num='0003' WHERE alembic_version.version_num = '0002';

GO

COMMIT;

GO

