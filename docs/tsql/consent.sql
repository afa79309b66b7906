-- Made by `python -m workloads.tsql`.
BEGIN TRANSACTION;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

GO

-- Running upgrade  -> 0001

CREATE TABLE consent (
    id UNIQUEIDENTIFIER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    bank NVARCHAR(40) NOT NULL, 
    bank_consent_id UNIQUEIDENTIFIER NOT NULL, 
    jurisdiction NVARCHAR(2) NOT NULL, 
    status NVARCHAR(20) NOT NULL, 
    created DATETIMEOFFSET NOT NULL, 
    authorised DATETIMEOFFSET NULL, 
    checked DATETIMEOFFSET NOT NULL, 
    CONSTRAINT pk_consent PRIMARY KEY (id)
);

GO

CREATE INDEX ix_consent_user_id_created ON consent (user_id, created);

GO

CREATE TABLE consent_evidence (
    id UNIQUEIDENTIFIER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    consent_id UNIQUEIDENTIFIER NOT NULL, 
    at DATETIMEOFFSET NOT NULL, 
    status NVARCHAR(20) NOT NULL, 
    source NVARCHAR(10) NOT NULL, 
    CONSTRAINT pk_consent_evidence PRIMARY KEY (id), 
    CONSTRAINT fk_consent_evidence_consent_id FOREIGN KEY(consent_id) REFERENCES consent (id)
);

GO

CREATE INDEX ix_consent_evidence_consent_id ON consent_evidence (consent_id);

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

UPDATE alembic_version SET version_num='0002' WHERE alembic_version.version_num = '0001';

GO

-- Running upgrade 0002 -> 0003

ALTER TABLE consent ADD valid_until DATETIME NULL;

GO

UPDATE alembic_version SET version_num='0003' WHERE alembic_version.version_num = '0002';

GO

COMMIT;

GO

