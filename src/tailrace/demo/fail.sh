# Fail, as programs do.
echo "looking for the configuration"
sleep 1
echo "fatal: nothing is configured" >&2
exit 3
