-- Made by `python -m workloads.tsql`.
-- Each table of users' rows is also bound to its user: where that is not said here, a session adds it.

-- A page of the history
SELECT TOP 51 ledger_transaction.sequence, ledger_transaction.id, ledger_transaction.account_id, ledger_transaction.bank, ledger_transaction.status, ledger_transaction.date, ledger_transaction.booking_date, ledger_transaction.value_date, ledger_transaction.minor, ledger_transaction.currency, ledger_transaction.counterparty, ledger_transaction.remittance, ledger_transaction.category, ledger_transaction.merchant, ledger_transaction.transfer_id, ledger_transaction.formerly, ledger_transaction.ibans 
FROM ledger_transaction 
WHERE ledger_transaction.state = :state AND ledger_transaction.user_id = :user_id ORDER BY ledger_transaction.date DESC, ledger_transaction.sequence DESC;

-- A page of a search
SELECT TOP 51 ledger_transaction.sequence, ledger_transaction.id, ledger_transaction.account_id, ledger_transaction.bank, ledger_transaction.status, ledger_transaction.date, ledger_transaction.booking_date, ledger_transaction.value_date, ledger_transaction.minor, ledger_transaction.currency, ledger_transaction.counterparty, ledger_transaction.remittance, ledger_transaction.category, ledger_transaction.merchant, ledger_transaction.transfer_id, ledger_transaction.formerly, ledger_transaction.ibans 
FROM ledger_transaction 
WHERE ledger_transaction.state = :state AND ledger_transaction.category = :category AND ledger_transaction.minor >= :minimum AND ledger_transaction.minor <= :maximum AND ledger_transaction.search LIKE :word_0 ESCAPE '/' AND ledger_transaction.iban_indexes LIKE :index_0 AND ledger_transaction.user_id = :user_id ORDER BY ledger_transaction.date DESC, ledger_transaction.sequence DESC;

-- What changed since a revision
SELECT TOP 500 ledger_transaction.id, ledger_transaction.account_id, ledger_transaction.revision, ledger_transaction.state, ledger_transaction.status, ledger_transaction.date, ledger_transaction.minor, ledger_transaction.currency, ledger_transaction.counterparty, ledger_transaction.remittance, ledger_transaction.transfer_id, ledger_transaction.with_own, ledger_transaction.counterparty_index, ledger_transaction.formerly 
FROM ledger_transaction 
WHERE ledger_transaction.revision > :revision_1 ORDER BY ledger_transaction.revision;

-- The user's ledger, locked
SELECT ledger.user_id, ledger.revision 
FROM ledger WITH (UPDLOCK, ROWLOCK);

-- An event is claimed
MERGE INTO handled_event WITH (HOLDLOCK) AS target USING (VALUES (:r0_source, :r0_event_id, :r0_at)) AS source (source, event_id, at) ON target.source = source.source AND target.event_id = source.event_id WHEN NOT MATCHED THEN INSERT (source, event_id, at) VALUES (source.source, source.event_id, source.at);

-- The relay's turn
SELECT relay_turn.id 
FROM relay_turn WITH (UPDLOCK, ROWLOCK, READPAST);

-- Events to publish
SELECT TOP 200 outbox_event.sequence, outbox_event.event_id, outbox_event.[key], outbox_event.envelope, outbox_event.refused 
FROM outbox_event 
WHERE outbox_event.refused IS NULL ORDER BY outbox_event.sequence;

-- The task that is longest due
SELECT TOP 1 task.kind, task.subject, task.item, task.due, task.attempts 
FROM task WITH (UPDLOCK, ROWLOCK, READPAST) 
WHERE task.due <= :due_1 AND task.kind IN (:kind_1_1) ORDER BY task.due;
