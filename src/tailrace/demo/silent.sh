# Say nothing for half a minute.
sleep 30
echo "That was all."
