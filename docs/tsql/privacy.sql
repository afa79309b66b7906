-- Made by `python -m workloads.tsql`.
BEGIN TRANSACTION;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

GO

-- Running upgrade  -> 0001

CREATE TABLE erasure (
    id UNIQUEIDENTIFIER NOT NULL, 
    subject UNIQUEIDENTIFIER NOT NULL, 
    requested DATETIMEOFFSET NOT NULL, 
    round INTEGER NOT NULL, 
    completed DATETIMEOFFSET NULL, 
    CONSTRAINT pk_erasure PRIMARY KEY (id)
);

GO

CREATE INDEX ix_erasure_subject ON erasure (subject);

GO

CREATE TABLE reply (
    erasure_id UNIQUEIDENTIFIER NOT NULL, 
    round INTEGER NOT NULL, 
    service NVARCHAR(40) NOT NULL, 
    rows INTEGER NOT NULL, 
    elsewhere INTEGER NOT NULL, 
    at DATETIMEOFFSET NOT NULL, 
    CONSTRAINT pk_reply PRIMARY KEY (erasure_id, round, service), 
    CONSTRAINT fk_reply_erasure_id FOREIGN KEY(erasure_id) REFERENCES erasure (id)
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

INSERT INTO alembic_version (version_num) OUTPUT inserted.version_num VALUES ('0001');

GO

COMMIT;

GO

