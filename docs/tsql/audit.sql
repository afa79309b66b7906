-- Made by `python -m workloads.tsql`.
BEGIN TRANSACTION;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

GO

-- Running upgrade  -> 0001

CREATE TABLE entry (
    number BIGINT NOT NULL, 
    event_id UNIQUEIDENTIFIER NOT NULL, 
    at DATETIMEOFFSET NOT NULL, 
    source NVARCHAR(60) NOT NULL, 
    type NVARCHAR(60) NOT NULL, 
    subject NVARCHAR(40) NULL, 
    about NVARCHAR(2000) NOT NULL, 
    digest NVARCHAR(64) NOT NULL, 
    CONSTRAINT pk_entry PRIMARY KEY (number), 
    CONSTRAINT uq_entry_event_id UNIQUE (event_id)
);

GO

CREATE INDEX ix_entry_subject ON entry (subject, number);

GO

CREATE TABLE head (
    id INTEGER NOT NULL, 
    number BIGINT NOT NULL, 
    digest NVARCHAR(64) NOT NULL, 
    CONSTRAINT pk_head PRIMARY KEY (id)
);

GO

SET IDENTITY_INSERT head ON;

GO

INSERT INTO head (id, number, digest) VALUES (1, 0, N'0000000000000000000000000000000000000000000000000000000000000000');

GO

SET IDENTITY_INSERT head OFF;

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

INSERT INTO alembic_version (version_num) OUTPUT inserted.version_num VALUES ('0001');

GO

COMMIT;

GO

