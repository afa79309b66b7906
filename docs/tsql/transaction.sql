-- Made by `python -m workloads.tsql`.
BEGIN TRANSACTION;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

GO

-- Running upgrade  -> 0001

CREATE TABLE ledger_transaction (
    sequence BIGINT NOT NULL IDENTITY, 
    id UNIQUEIDENTIFIER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    account_id UNIQUEIDENTIFIER NOT NULL, 
    bank NVARCHAR(40) NOT NULL, 
    [key] NVARCHAR(100) NOT NULL, 
    status NVARCHAR(10) NOT NULL, 
    date DATETIME NOT NULL, 
    booking_date DATETIME NULL, 
    value_date DATETIME NULL, 
    minor BIGINT NOT NULL, 
    currency NVARCHAR(3) NOT NULL, 
    counterparty NVARCHAR(140) NULL, 
    remittance NVARCHAR(1000) NULL, 
    transaction_id NVARCHAR(200) NULL, 
    entry_reference NVARCHAR(200) NULL, 
    imported DATETIMEOFFSET NOT NULL, 
    changed DATETIMEOFFSET NOT NULL, 
    CONSTRAINT pk_ledger_transaction PRIMARY KEY (sequence), 
    CONSTRAINT uq_ledger_transaction_id UNIQUE (id), 
    CONSTRAINT uq_ledger_transaction_key UNIQUE (account_id, [key])
);

GO

CREATE INDEX ix_ledger_transaction_page ON ledger_transaction (user_id, date, sequence);

GO

CREATE INDEX ix_ledger_transaction_account ON ledger_transaction (account_id, date);

GO

CREATE TABLE synchronised_account (
    account_id UNIQUEIDENTIFIER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    until DATETIME NULL, 
    at DATETIMEOFFSET NOT NULL, 
    CONSTRAINT pk_synchronised_account PRIMARY KEY (account_id)
);

GO

INSERT INTO alembic_version (version_num) OUTPUT inserted.version_num VALUES ('0001');

GO

-- Running upgrade 0001 -> 0002

ALTER TABLE ledger_transaction ADD state NVARCHAR(10) NOT NULL DEFAULT 'listed';

GO

ALTER TABLE ledger_transaction ADD revision BIGINT NOT NULL DEFAULT '0';

GO

ALTER TABLE ledger_transaction ADD search NVARCHAR(1200) NOT NULL DEFAULT '';

GO

ALTER TABLE ledger_transaction ADD category NVARCHAR(60) NULL;

GO

ALTER TABLE ledger_transaction ADD merchant NVARCHAR(80) NULL;

GO

ALTER TABLE ledger_transaction ADD transfer_id UNIQUEIDENTIFIER NULL;

GO

ALTER TABLE ledger_transaction ADD formerly UNIQUEIDENTIFIER NULL;

GO

UPDATE ledger_transaction SET revision=ledger_transaction.sequence, search=lower(concat(ledger_transaction.counterparty, ' ', ledger_transaction.remittance));

GO

DROP INDEX ix_ledger_transaction_page ON ledger_transaction;

GO

CREATE INDEX ix_ledger_transaction_page ON ledger_transaction (user_id, state, date, sequence);

GO

CREATE INDEX ix_ledger_transaction_revision ON ledger_transaction (user_id, revision);

GO

CREATE TABLE ledger (
    user_id UNIQUEIDENTIFIER NOT NULL, 
    revision BIGINT NOT NULL, 
    CONSTRAINT pk_ledger PRIMARY KEY (user_id)
);

GO

INSERT INTO ledger (user_id, revision) SELECT ledger_transaction.user_id, max(ledger_transaction.sequence) AS max_1 
FROM ledger_transaction GROUP BY ledger_transaction.user_id;

GO

CREATE TABLE match_suggestion (
    id UNIQUEIDENTIFIER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    pending_id UNIQUEIDENTIFIER NOT NULL, 
    booked_id UNIQUEIDENTIFIER NOT NULL, 
    created DATETIMEOFFSET NOT NULL, 
    CONSTRAINT pk_match_suggestion PRIMARY KEY (id)
);

GO

CREATE INDEX ix_match_suggestion_user_id ON match_suggestion (user_id, created);

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

UPDATE alembic_version SET version_num='0002' WHERE alembic_version.version_num = '0001';

GO

-- Running upgrade 0002 -> 0003

ALTER TABLE synchronised_account ADD digest NVARCHAR(64) NULL;

GO

ALTER TABLE synchronised_account ADD entries INTEGER NOT NULL DEFAULT '0';

GO

ALTER TABLE synchronised_account ADD unreadable INTEGER NOT NULL DEFAULT '0';

GO

UPDATE alembic_version SET version_num='0003' WHERE alembic_version.version_num = '0002';

GO

-- Running upgrade 0003 -> 0004

ALTER TABLE ledger_transaction ADD category_version BIGINT NOT NULL DEFAULT '0';

GO

UPDATE alembic_version SET version_num='0004' WHERE alembic_version.version_num = '0003';

GO

-- Running upgrade 0004 -> 0005

ALTER TABLE ledger_transaction ADD ibans VARBINARY(max) NULL;

GO

ALTER TABLE ledger_transaction ADD counterparty_index NVARCHAR(13) NULL;

GO

ALTER TABLE ledger_transaction ADD iban_indexes NVARCHAR(1500) NULL;

GO

UPDATE synchronised_account SET digest=NULL;

GO

CREATE TABLE user_key (
    user_id UNIQUEIDENTIFIER NOT NULL, 
    wrapped VARBINARY(1024) NOT NULL, 
    wrapping_key NVARCHAR(400) NOT NULL, 
    CONSTRAINT pk_user_key PRIMARY KEY (user_id)
);

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

INSERT INTO task (kind, subject, item, due, attempts) SELECT 'seal-ibans' AS anon_1, ledger.user_id, '00000000-0000-0000-0000-000000000000' AS anon_2, CURRENT_TIMESTAMP AS current_timestamp_1, 0 AS anon_3 
FROM ledger;

GO

UPDATE alembic_version SET version_num='0005' WHERE alembic_version.version_num = '0004';

GO

-- Running upgrade 0005 -> 0006

CREATE TABLE own_account (
    account_id UNIQUEIDENTIFIER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    iban_index NVARCHAR(13) NOT NULL, 
    CONSTRAINT pk_own_account PRIMARY KEY (account_id)
);

GO

CREATE INDEX ix_own_account_user_id ON own_account (user_id);

GO

ALTER TABLE ledger_transaction ADD with_own BIT NOT NULL DEFAULT 0;

GO

UPDATE alembic_version SET version_num='0006' WHERE alembic_version.version_num = '0005';

GO

-- Running upgrade 0006 -> 0007

ALTER TABLE ledger_transaction ADD missing DATETIMEOFFSET NULL;

GO

UPDATE alembic_version SET version_num='0007' WHERE alembic_version.version_num = '0006';

GO

-- Running upgrade 0007 -> 0008

ALTER TABLE own_account ADD uk_index NVARCHAR(13) NULL;

GO

ALTER TABLE own_account ALTER COLUMN iban_index NVARCHAR(13) NULL;

GO

UPDATE alembic_version SET version_num='0008' WHERE alembic_version.version_num = '0007';

GO

COMMIT;

GO

