-- user__age
SELECT observation_id, pkey, value, observed_at, inserted_at, resolver_fqn, deployment_id, operation_id, deleted
FROM (
  SELECT observation_id, pkey, value, observed_at, inserted_at, resolver_fqn, deployment_id, operation_id, deleted
  FROM `my-project.tailrace_prod.user__age__rows`
  UNION ALL
  SELECT observation_id, pkey, CAST(NULL AS INT64) AS value, observed_at, inserted_at, resolver_fqn, deployment_id, operation_id, TRUE AS deleted
  FROM `my-project.tailrace_prod.deletions__rows__string`
  WHERE namespace = 'user' AND feature = 'user.age'
)
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY observation_id, observed_at, pkey
  ORDER BY inserted_at, deleted DESC, value IS NULL DESC, value DESC, resolver_fqn DESC, deployment_id DESC) = 1;

-- user__face
SELECT observation_id, pkey, value, observed_at, inserted_at, resolver_fqn, deployment_id, operation_id, deleted
FROM (
  SELECT observation_id, pkey, IF(ARRAY_LENGTH(value) = 0, NULL, value) AS value, observed_at, inserted_at, resolver_fqn, deployment_id, operation_id, deleted
  FROM `my-project.tailrace_prod.user__face__rows`
  UNION ALL
  SELECT observation_id, pkey, CAST(NULL AS ARRAY<FLOAT64>) AS value, observed_at, inserted_at, resolver_fqn, deployment_id, operation_id, TRUE AS deleted
  FROM `my-project.tailrace_prod.deletions__rows__int64`
  WHERE namespace = 'user' AND feature = 'user.face'
)
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY observation_id, observed_at, pkey
  ORDER BY inserted_at, deleted DESC, value IS NULL DESC, TO_JSON_STRING(value) DESC, resolver_fqn DESC, deployment_id DESC) = 1;

-- user__it_s
SELECT observation_id, pkey, value, observed_at, inserted_at, resolver_fqn, deployment_id, operation_id, deleted
FROM (
  SELECT observation_id, pkey, value, observed_at, inserted_at, resolver_fqn, deployment_id, operation_id, deleted
  FROM `my-project.tailrace_prod.user__it_s___so_2b3aa4b79bfd215a__rows`
  UNION ALL
  SELECT observation_id, pkey, CAST(NULL AS STRING) AS value, observed_at, inserted_at, resolver_fqn, deployment_id, operation_id, TRUE AS deleted
  FROM `my-project.tailrace_prod.deletions__rows__string`
  WHERE namespace = 'user' AND feature = 'user.it\'s \\ so'
)
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY observation_id, observed_at, pkey
  ORDER BY inserted_at, deleted DESC, value IS NULL DESC, value DESC, resolver_fqn DESC, deployment_id DESC) = 1;

-- user__gone
SELECT observation_id, pkey, observed_at, inserted_at, resolver_fqn, deployment_id, operation_id, deleted
FROM (
  SELECT observation_id, pkey, observed_at, inserted_at, resolver_fqn, deployment_id, operation_id, TRUE AS deleted
  FROM `my-project.tailrace_prod.deletions__rows__string`
  WHERE namespace = 'user' AND feature = 'user.gone'
)
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY observation_id, observed_at, pkey
  ORDER BY inserted_at, resolver_fqn DESC, deployment_id DESC) = 1;

-- user__
SELECT observation_id, pkey, observed_at, inserted_at, resolver_fqn, deployment_id, operation_id, deleted
FROM (
  SELECT observation_id, pkey, observed_at, inserted_at, resolver_fqn, deployment_id, operation_id, TRUE AS deleted
  FROM `my-project.tailrace_prod.deletions__rows__string`
  WHERE namespace = 'user' AND feature = 'user.'
)
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY observation_id, observed_at, pkey
  ORDER BY inserted_at, resolver_fqn DESC, deployment_id DESC) = 1;

-- query_log
SELECT
  operation_id,
  environment_id,
  deployment_id,
  operation_kind,
  query_timestamp,
  execution_started_at,
  execution_finished_at,
  query_status,
  query_name,
  query_name_version,
  branch_name,
  correlation_id,
  trace_id,
  agent_id,
  query_plan_id,
  meta_query_hash,
  ARRAY(SELECT DISTINCT part FROM UNNEST(value_tables) AS part ORDER BY part) AS value_tables
FROM (
  SELECT
    operation_id,
    ANY_VALUE(environment_id HAVING MIN inserted_at) AS environment_id,
    ANY_VALUE(deployment_id HAVING MIN inserted_at) AS deployment_id,
    ANY_VALUE(operation_kind HAVING MIN inserted_at) AS operation_kind,
    ANY_VALUE(query_timestamp HAVING MIN inserted_at) AS query_timestamp,
    ANY_VALUE(execution_started_at HAVING MIN inserted_at) AS execution_started_at,
    ANY_VALUE(execution_finished_at HAVING MIN inserted_at) AS execution_finished_at,
    ANY_VALUE(query_status HAVING MIN inserted_at) AS query_status,
    ANY_VALUE(query_name HAVING MIN inserted_at) AS query_name,
    ANY_VALUE(query_name_version HAVING MIN inserted_at) AS query_name_version,
    ANY_VALUE(branch_name HAVING MIN inserted_at) AS branch_name,
    ANY_VALUE(correlation_id HAVING MIN inserted_at) AS correlation_id,
    ANY_VALUE(trace_id HAVING MIN inserted_at) AS trace_id,
    ANY_VALUE(agent_id HAVING MIN inserted_at) AS agent_id,
    ANY_VALUE(query_plan_id HAVING MIN inserted_at) AS query_plan_id,
    ANY_VALUE(meta_query_hash HAVING MIN inserted_at) AS meta_query_hash,
    ARRAY_CONCAT_AGG(value_tables) AS value_tables
  FROM `my-project.tailrace_prod.query_log__rows`
  GROUP BY operation_id
);

-- latest_user
SELECT
  newest.pkey,
  newest.feature,
  newest.key_type,
  newest.value_type,
  newest.int64_value,
  newest.float64_value,
  newest.bool_value,
  newest.string_value,
  newest.bytes_value,
  newest.timestamp_value,
  newest.date_value,
  IF(ARRAY_LENGTH(newest.vector_value) = 0, NULL, newest.vector_value) AS vector_value,
  newest.json_value,
  newest.observed_at,
  newest.resolver_fqn,
  newest.deployment_id,
  newest.operation_id
FROM `my-project.tailrace_prod.latest__rows__user` AS newest
LEFT JOIN (
  SELECT pkey, key_type, observed_at FROM `my-project.tailrace_prod.latest__rows__user` WHERE feature = '' AND deleted
) AS fence
ON fence.pkey = newest.pkey AND fence.key_type = newest.key_type
WHERE newest.feature != '' AND NOT newest.deleted
  AND (fence.observed_at IS NULL OR newest.observed_at > fence.observed_at);
