# Succeeds if every model has an AVAILABLE version: bash models_available.sh REST_PORT MODEL...
#
# The model server's gRPC health service, --enable_grpc_healthcheck_service, says SERVING as soon as
# the server listens, whatever the models do, and GetModelStatus is HTTP 200 whatever the state is,
# LOADING or END as well: the answer must be read. Its image has bash, but no curl.

port=$1
shift
for model in "$@"; do
  exec 3<>"/dev/tcp/127.0.0.1/$port" || exit 1
  printf 'GET /v1/models/%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$model" >&3
  if ! grep -q '"state": *"AVAILABLE"' <&3; then
    echo "$model has no version that is AVAILABLE" >&2
    exit 1
  fi
done
