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

CREATE TABLE bank_consent (
    id UNIQUEIDENTIFIER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    bank NVARCHAR(40) NOT NULL, 
    consent_ref VARBINARY(2000) NOT NULL, 
    psu_id VARBINARY(500) NULL, 
    authorisation_id NVARCHAR(200) NULL, 
    redirect_uri NVARCHAR(2000) NOT NULL, 
    nok_redirect_uri NVARCHAR(2000) NULL, 
    created DATETIMEOFFSET NOT NULL, 
    CONSTRAINT pk_bank_consent PRIMARY KEY (id)
);

GO

CREATE TABLE bank_account (
    id UNIQUEIDENTIFIER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    consent_id UNIQUEIDENTIFIER NOT NULL, 
    resource VARBINARY(2000) NOT NULL, 
    resource_index NVARCHAR(64) NOT NULL, 
    CONSTRAINT pk_bank_account PRIMARY KEY (id), 
    CONSTRAINT fk_bank_account_consent_id FOREIGN KEY(consent_id) REFERENCES bank_consent (id), 
    CONSTRAINT uq_bank_account_resource UNIQUE (consent_id, resource_index)
);

GO

CREATE TABLE bank_call (
    id UNIQUEIDENTIFIER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    bank NVARCHAR(40) NOT NULL, 
    consent_id UNIQUEIDENTIFIER NULL, 
    account_id UNIQUEIDENTIFIER NULL, 
    operation NVARCHAR(40) NOT NULL, 
    attended BIT NOT NULL, 
    page INTEGER NOT NULL, 
    status INTEGER NULL, 
    at DATETIMEOFFSET NOT NULL, 
    CONSTRAINT pk_bank_call PRIMARY KEY (id)
);

GO

CREATE INDEX ix_bank_call_quota ON bank_call (user_id, consent_id, account_id, operation, at);

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

ALTER TABLE bank_consent ALTER COLUMN consent_ref VARBINARY(2000) NULL;

GO

ALTER TABLE bank_consent ADD progress VARBINARY(max) NULL;

GO

CREATE TABLE bank_token (
    user_id UNIQUEIDENTIFIER NOT NULL, 
    consent_id UNIQUEIDENTIFIER NOT NULL, 
    access VARBINARY(max) NOT NULL, 
    refresh VARBINARY(max) NULL, 
    expires DATETIMEOFFSET NULL, 
    CONSTRAINT pk_bank_token PRIMARY KEY (consent_id), 
    CONSTRAINT fk_bank_token_consent_id FOREIGN KEY(consent_id) REFERENCES bank_consent (id)
);

GO

UPDATE alembic_version SET version_num='0003' WHERE alembic_version.version_num = '0002';

GO

-- Running upgrade 0003 -> 0004

CREATE TABLE bank_health (
    bank NVARCHAR(40) NOT NULL, 
    failures INTEGER NOT NULL, 
    called DATETIMEOFFSET NOT NULL, 
    CONSTRAINT pk_bank_health PRIMARY KEY (bank)
);

GO

UPDATE alembic_version SET version_num='0004' WHERE alembic_version.version_num = '0003';

GO

COMMIT;

GO

