#!/usr/bin/env bash
# Fails the job for the sites that `fail-on` names; never for what was posted.
set -euo pipefail

case "${AWAKEN_FAIL_ON:-none}" in
    none) ;;
    sites) [ "${AWAKEN_SITES:-0}" -eq 0 ] || { echo "::error title=awaken::$AWAKEN_SITES sites in the lines of this pull request."; exit 1; } ;;
    manual) [ "${AWAKEN_MANUAL:-0}" -eq 0 ] || { echo "::error title=awaken::$AWAKEN_MANUAL sites that awaken leaves to people."; exit 1; } ;;
    *) echo "::error title=awaken::fail-on is none, sites or manual, not '${AWAKEN_FAIL_ON//[^a-z-]/?}'."; exit 2 ;;
esac
