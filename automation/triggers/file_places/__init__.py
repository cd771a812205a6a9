"""Places that file triggers watch: a folder of this machine, an SFTP server, a bucket. One file each."""
