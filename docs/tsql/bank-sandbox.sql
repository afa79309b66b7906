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
    status NVARCHAR(20) NOT NULL, 
    access NVARCHAR(max) NOT NULL, 
    granted NVARCHAR(max) NULL, 
    recurring BIT NOT NULL, 
    valid_until DATETIME NOT NULL, 
    frequency INTEGER NOT NULL, 
    last_action DATETIME NOT NULL, 
    customer NVARCHAR(50) NULL, 
    redirect_uri NVARCHAR(2000) NULL, 
    nok_redirect_uri NVARCHAR(2000) NULL, 
    CONSTRAINT pk_consent PRIMARY KEY (id)
);

GO

CREATE TABLE authorisation (
    id UNIQUEIDENTIFIER NOT NULL, 
    consent_id UNIQUEIDENTIFIER NOT NULL, 
    status NVARCHAR(20) NOT NULL, 
    ticket UNIQUEIDENTIFIER NULL, 
    customer NVARCHAR(50) NULL, 
    failures INTEGER NOT NULL, 
    created DATETIMEOFFSET NOT NULL, 
    CONSTRAINT pk_authorisation PRIMARY KEY (id), 
    CONSTRAINT fk_authorisation_consent_id FOREIGN KEY(consent_id) REFERENCES consent (id)
);

GO

CREATE INDEX ix_authorisation_consent_id ON authorisation (consent_id);

GO

CREATE TABLE access (
    consent_id UNIQUEIDENTIFIER NOT NULL, 
    uri NVARCHAR(200) NOT NULL, 
    day DATETIME NOT NULL, 
    used INTEGER NOT NULL, 
    CONSTRAINT pk_access PRIMARY KEY (consent_id, uri, day)
);

GO

INSERT INTO alembic_version (version_num) OUTPUT inserted.version_num VALUES ('0001');

GO

-- Running upgrade 0001 -> 0002

CREATE TABLE oauth_grant (
    consent_id UNIQUEIDENTIFIER NOT NULL, 
    redirect_uri NVARCHAR(2000) NOT NULL, 
    state NVARCHAR(500) NULL, 
    challenge NVARCHAR(100) NOT NULL, 
    code NVARCHAR(100) NULL, 
    access NVARCHAR(100) NULL, 
    refresh NVARCHAR(100) NULL, 
    expires DATETIMEOFFSET NULL, 
    CONSTRAINT pk_oauth_grant PRIMARY KEY (consent_id), 
    CONSTRAINT fk_oauth_grant_consent_id FOREIGN KEY(consent_id) REFERENCES consent (id)
);

GO

UPDATE alembic_version SET version_num='0002' WHERE alembic_version.version_num = '0001';

GO

-- Running upgrade 0002 -> 0003

ALTER TABLE oauth_grant ADD client_id NVARCHAR(200) NULL;

GO

ALTER TABLE oauth_grant ADD nonce NVARCHAR(200) NULL;

GO

UPDATE alembic_version SET version_num='0003' WHERE alembic_version.version_num = '0002';

GO

COMMIT;

GO

