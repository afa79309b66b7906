-- Made by `python -m workloads.tsql`.
BEGIN TRANSACTION;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

GO

-- Running upgrade  -> 0001

CREATE TABLE schedule (
    user_id UNIQUEIDENTIFIER NOT NULL, 
    enabled BIT NOT NULL, 
    times_a_day INTEGER NOT NULL, 
    CONSTRAINT pk_schedule PRIMARY KEY (user_id)
);

GO

CREATE TABLE access (
    sequence BIGINT NOT NULL IDENTITY, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    account_id UNIQUEIDENTIFIER NOT NULL, 
    at DATETIMEOFFSET NOT NULL, 
    CONSTRAINT pk_access PRIMARY KEY (sequence)
);

GO

CREATE INDEX ix_access_user_id_account_id ON access (user_id, account_id, at);

GO

CREATE TABLE run (
    id UNIQUEIDENTIFIER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    attended BIT NOT NULL, 
    started DATETIMEOFFSET NOT NULL, 
    ended DATETIMEOFFSET NULL, 
    added INTEGER NOT NULL, 
    updated INTEGER NOT NULL, 
    removed INTEGER NOT NULL, 
    kinds NVARCHAR(400) NOT NULL, 
    CONSTRAINT pk_run PRIMARY KEY (id)
);

GO

CREATE INDEX ix_run_user_id_started ON run (user_id, started);

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

COMMIT;

GO

