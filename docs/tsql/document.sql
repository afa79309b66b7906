-- Made by `python -m workloads.tsql`.
BEGIN TRANSACTION;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

GO

-- Running upgrade  -> 0001

CREATE TABLE document (
    id UNIQUEIDENTIFIER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    content_index NVARCHAR(64) NOT NULL, 
    details VARBINARY(2000) NOT NULL, 
    kind NVARCHAR(40) NOT NULL, 
    size INTEGER NOT NULL, 
    uploaded DATETIMEOFFSET NOT NULL, 
    transaction_id UNIQUEIDENTIFIER NULL, 
    CONSTRAINT pk_document PRIMARY KEY (id), 
    CONSTRAINT uq_document_content UNIQUE (user_id, content_index)
);

GO

CREATE INDEX ix_document_user_id_transaction_id ON document (user_id, transaction_id);

GO

CREATE TABLE user_key (
    user_id UNIQUEIDENTIFIER NOT NULL, 
    wrapped VARBINARY(1024) NOT NULL, 
    wrapping_key NVARCHAR(400) NOT NULL, 
    CONSTRAINT pk_user_key PRIMARY KEY (user_id)
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

