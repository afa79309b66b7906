-- Made by `python -m workloads.tsql`.
BEGIN TRANSACTION;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

GO

-- Running upgrade  -> 0001

CREATE TABLE preference (
    user_id UNIQUEIDENTIFIER NOT NULL, 
    timezone NVARCHAR(40) NOT NULL, 
    language NVARCHAR(5) NOT NULL, 
    quiet_from NVARCHAR(5) NOT NULL, 
    quiet_to NVARCHAR(5) NOT NULL, 
    muted NVARCHAR(200) NOT NULL, 
    CONSTRAINT pk_preference PRIMARY KEY (user_id)
);

GO

CREATE TABLE notification (
    id UNIQUEIDENTIFIER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    kind NVARCHAR(30) NOT NULL, 
    period NVARCHAR(120) NOT NULL, 
    about NVARCHAR(max) NOT NULL, 
    created DATETIMEOFFSET NOT NULL, 
    delivered DATETIMEOFFSET NULL, 
    [read] DATETIMEOFFSET NULL, 
    CONSTRAINT pk_notification PRIMARY KEY (id), 
    CONSTRAINT uq_notification_period UNIQUE (user_id, kind, period)
);

GO

CREATE INDEX ix_notification_user_id_created ON notification (user_id, created);

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

CREATE TABLE device (
    id UNIQUEIDENTIFIER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    platform NVARCHAR(10) NOT NULL, 
    channel VARBINARY(4000) NOT NULL, 
    channel_index NVARCHAR(64) NOT NULL, 
    installation UNIQUEIDENTIFIER NOT NULL, 
    registered BIT NOT NULL, 
    leaving BIT NOT NULL, 
    created DATETIMEOFFSET NOT NULL, 
    CONSTRAINT pk_device PRIMARY KEY (id), 
    CONSTRAINT uq_device_channel UNIQUE (user_id, channel_index)
);

GO

CREATE TABLE push (
    id UNIQUEIDENTIFIER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    notification_id UNIQUEIDENTIFIER NOT NULL, 
    device_id UNIQUEIDENTIFIER NOT NULL, 
    sent DATETIMEOFFSET NULL, 
    dropped DATETIMEOFFSET NULL, 
    CONSTRAINT pk_push PRIMARY KEY (id), 
    CONSTRAINT fk_push_notification_id FOREIGN KEY(notification_id) REFERENCES notification (id), 
    CONSTRAINT fk_push_device_id FOREIGN KEY(device_id) REFERENCES device (id), 
    CONSTRAINT uq_push_notification_device UNIQUE (notification_id, device_id)
);

GO

CREATE INDEX ix_push_device_id ON push (device_id);

GO

CREATE TABLE user_key (
    user_id UNIQUEIDENTIFIER NOT NULL, 
    wrapped VARBINARY(1024) NOT NULL, 
    wrapping_key NVARCHAR(400) NOT NULL, 
    CONSTRAINT pk_user_key PRIMARY KEY (user_id)
);

GO

UPDATE alembic_version SET version_num='0002' WHERE alembic_version.version_num = '0001';

GO

-- Running upgrade 0002 -> 0003

CREATE TABLE profile (
    user_id UNIQUEIDENTIFIER NOT NULL, 
    version BIGINT NOT NULL, 
    timezone NVARCHAR(40) NOT NULL, 
    language NVARCHAR(5) NOT NULL, 
    CONSTRAINT pk_profile PRIMARY KEY (user_id)
);

GO

ALTER TABLE preference ALTER COLUMN timezone NVARCHAR(40) NULL;

GO

ALTER TABLE preference ALTER COLUMN language NVARCHAR(5) NULL;

GO

UPDATE alembic_version SET version_num='0003' WHERE alembic_version.version_num = '0002';

GO

COMMIT;

GO

