"""Networks decide: endpoints, private DNS, security groups, endpoint policies, and nothing leaves this machine."""

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError, ProxyConnectionError

VPC = "vpc-0a11ce00000000001"
SUBNETS = ["subnet-0a11ce00000000001", "subnet-0a11ce00000000002"]
APPLICATION = "sg-0a11ce00000000001"
RUNTIME = "com.amazonaws.us-east-1.bedrock-runtime"


@pytest.fixture
def group(world):
    ec2 = world.client("ec2")
    made = ec2.create_security_group(GroupName="endpoints", Description="x", VpcId=VPC)["GroupId"]
    yield made
    ec2.delete_security_group(GroupId=made)


@pytest.fixture
def endpoint(world, group):
    ec2 = world.client("ec2")
    made = ec2.create_vpc_endpoint(
        VpcId=VPC,
        ServiceName=RUNTIME,
        VpcEndpointType="Interface",
        SubnetIds=SUBNETS,
        SecurityGroupIds=[group],
        PrivateDnsEnabled=True,
    )["VpcEndpoint"]
    yield made
    ec2.delete_vpc_endpoints(VpcEndpointIds=[made["VpcEndpointId"]])


def admit(world, group, **peer):
    permission = {
        "IpProtocol": "tcp",
        "FromPort": 443,
        "ToPort": 443,
        **(peer or {"UserIdGroupPairs": [{"GroupId": APPLICATION}]}),
    }
    world.client("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])


def converse(world, helpers, **how):
    client = world.client("bedrock-runtime", proxy=how.pop("proxy", world.sandbox.proxy_url), **how)
    client.converse(modelId=helpers.MODEL, messages=helpers.MESSAGES)
    return world.sandbox.decisions(operation="Converse")[-1]


def test_without_endpoint_a_workload_comes_from_the_internet(world, helpers):
    found = converse(world, helpers)
    assert found["vpc_endpoint"] is None
    assert found["context"]["aws:sourceip"] == ["198.51.100.20"]
    assert "aws:sourcevpce" not in found["context"]


def test_the_public_listener_is_the_internet(world, helpers):
    client = world.client("bedrock-runtime")
    client.converse(modelId=helpers.MODEL, messages=helpers.MESSAGES)
    assert world.sandbox.decisions(operation="Converse")[-1]["context"]["aws:sourceip"] == ["203.0.113.10"]


def test_security_groups_admit_by_group_and_by_address(world, helpers, group, endpoint):
    with pytest.raises(ProxyConnectionError):
        converse(world, helpers)
    admit(world, group)
    found = converse(world, helpers)
    assert found["vpc_endpoint"] == endpoint["VpcEndpointId"]
    other = world.sandbox.attach(SUBNETS[1], ())
    with pytest.raises(ProxyConnectionError):
        converse(world, helpers, proxy=other)


def test_requests_through_an_endpoint_carry_its_keys(world, helpers, group, endpoint):
    admit(world, group, IpRanges=[{"CidrIp": "10.0.1.0/24"}])
    context = converse(world, helpers)["context"]
    assert context["aws:sourcevpce"] == [endpoint["VpcEndpointId"]]
    assert context["aws:sourcevpc"] == [VPC]
    assert context["aws:vpcsourceip"][0].startswith("10.0.1.")
    assert "aws:sourceip" not in context


def test_egress_rules_count(world, helpers, group, endpoint):
    del endpoint
    admit(world, group, IpRanges=[{"CidrIp": "10.0.0.0/16"}])
    ec2 = world.client("ec2")
    closed = ec2.create_security_group(GroupName="closed", Description="x", VpcId=VPC)["GroupId"]
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    proxy = world.sandbox.attach(SUBNETS[0], (closed,))
    assert converse(world, helpers, proxy=proxy)
    ec2.revoke_security_group_egress(GroupId=closed, IpPermissions=everything)
    with pytest.raises(ProxyConnectionError):
        converse(world, helpers, proxy=proxy)


def test_endpoint_policies_decide(world, helpers, group, endpoint):
    admit(world, group)
    ec2 = world.client("ec2")
    only = helpers.policy(
        {"Effect": "Allow", "Principal": "*", "Action": "bedrock:InvokeModel", "Resource": "*"}
    )
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint["VpcEndpointId"], PolicyDocument=only)
    assert converse(world, helpers)
    runtime = world.client("bedrock-runtime", proxy=world.sandbox.proxy_url)

    def stream():
        return runtime.converse_stream(modelId=helpers.MODEL, messages=helpers.MESSAGES)

    assert (
        "because no VPC endpoint policy allows the bedrock:InvokeModelWithResponseStream action"
        in helpers.message_of(stream)
    )
    deny = helpers.policy({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"})
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint["VpcEndpointId"], PolicyDocument=deny)

    def ask():
        return runtime.converse(modelId=helpers.MODEL, messages=helpers.MESSAGES)

    assert "with an explicit deny in a VPC endpoint policy" in helpers.message_of(ask)
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint["VpcEndpointId"], ResetPolicy=True)
    assert ask()["stopReason"]


def test_names_that_the_endpoint_does_not_serve_go_elsewhere(world, helpers, group, endpoint):
    admit(world, group)
    world.client("bedrock", proxy=world.sandbox.proxy_url).list_guardrails()
    assert world.sandbox.decisions(operation="ListGuardrails")[-1]["vpc_endpoint"] is None
    assert converse(world, helpers, region="us-west-2")["vpc_endpoint"] is None
    own = f"https://{endpoint['DnsEntries'][0]['DnsName']}"
    assert converse(world, helpers, url=own)["vpc_endpoint"] == endpoint["VpcEndpointId"]
    control = world.client("bedrock", proxy=world.sandbox.proxy_url, url=own)
    assert helpers.code_of(control.list_guardrails) == "UnknownOperationException"
    strange = world.client(
        "bedrock-runtime", proxy=world.sandbox.proxy_url, url=own.replace("vpce-", "vpce-0")
    )
    with pytest.raises(ProxyConnectionError):
        strange.converse(modelId=helpers.MODEL, messages=helpers.MESSAGES)


def test_an_endpoint_serves_its_region_alone(world, helpers, group, endpoint):
    """A host name of another Region on a connection to this Region's endpoint, signed for that Region."""
    admit(world, group)
    client = world.client(
        "bedrock-runtime",
        proxy=world.sandbox.proxy_url,
        url="https://bedrock-runtime.us-east-1.amazonaws.com",
        region="us-west-2",
    )
    other = "bedrock-runtime.us-west-2.amazonaws.com"
    client.meta.events.register("before-sign", lambda request, **_: request.headers.add_header("Host", other))
    message = helpers.message_of(client.converse, modelId=helpers.MODEL, messages=helpers.MESSAGES)
    assert "valid region" in message


def test_private_dns_can_be_off(world, helpers, group, endpoint):
    admit(world, group)
    ec2 = world.client("ec2")
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint["VpcEndpointId"], PrivateDnsEnabled=False)
    assert converse(world, helpers)["vpc_endpoint"] is None
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint["VpcEndpointId"], PrivateDnsEnabled=True)
    assert converse(world, helpers)["vpc_endpoint"] == endpoint["VpcEndpointId"]


def test_deleting_the_endpoint_ends_its_connections(world, helpers, group):
    ec2 = world.client("ec2")
    admit(world, group)
    made = ec2.create_vpc_endpoint(
        VpcId=VPC,
        ServiceName=RUNTIME,
        VpcEndpointType="Interface",
        SubnetIds=SUBNETS,
        SecurityGroupIds=[group],
    )
    identity = made["VpcEndpoint"]["VpcEndpointId"]
    assert converse(world, helpers)["vpc_endpoint"] == identity
    host = "bedrock-runtime.us-east-1.amazonaws.com"
    port = int(world.sandbox.proxy_url.rsplit(":", 1)[1])
    context = ssl.create_default_context(cafile=world.sandbox.ca_bundle)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        plain.sendall(f"CONNECT {host}:443 HTTP/1.1\r\n\r\n".encode())
        assert b" 200 " in plain.recv(200)
        with context.wrap_socket(plain, server_hostname=host) as kept:
            kept.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert kept.recv(4096).startswith(b"HTTP/1.1 4")
            ec2.delete_vpc_endpoints(VpcEndpointIds=[identity])
            assert kept.recv(4096) == b""
    assert converse(world, helpers)["vpc_endpoint"] is None


def test_an_endpoints_name_alone_does_not_lead_through_it(world, helpers, group, endpoint):
    admit(world, group)
    client = world.client("bedrock-runtime")
    name = f"{endpoint['VpcEndpointId']}-x.bedrock-runtime.us-east-1.vpce.amazonaws.com"
    client.meta.events.register("before-sign", lambda request, **_: request.headers.__setitem__("Host", name))
    client.converse(modelId=helpers.MODEL, messages=helpers.MESSAGES)
    assert world.sandbox.decisions(operation="Converse")[-1]["vpc_endpoint"] is None


def test_condition_on_the_endpoint(world, helpers, group, endpoint):
    admit(world, group)
    inside = {
        "Effect": "Allow",
        "Action": "bedrock:InvokeModel*",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceVpce": endpoint["VpcEndpointId"]}},
    }
    user = world.user("insider", inside)
    ask = {"modelId": helpers.MODEL, "messages": helpers.MESSAGES}
    assert world.client("bedrock-runtime", proxy=world.sandbox.proxy_url, **user).converse(**ask)[
        "stopReason"
    ]
    assert (
        helpers.code_of(lambda: world.client("bedrock-runtime", **user).converse(**ask))
        == "AccessDeniedException"
    )


def said(world, line):
    port = int(world.sandbox.proxy_url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(line)
        return connection.recv(200)


@pytest.mark.parametrize(
    "target", [b"example.com:443", b"169.254.169.254:443", b"dynamodb.us-east-1.amazonaws.com:443"]
)
def test_the_proxy_leads_nowhere_else(world, target):
    assert said(world, b"CONNECT " + target + b" HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 504")


@pytest.mark.parametrize(
    "line",
    [b"GET http://example.com/ HTTP/1.1\r\n\r\n", b"CONNECT sts.us-east-1.amazonaws.com:22 HTTP/1.1\r\n\r\n"],
)
def test_the_proxy_takes_connect_to_https_alone(world, line):
    assert said(world, line).startswith(b"HTTP/1.1 405")


def test_virtual_hosted_buckets_through_the_proxy(world):
    s3 = world.client("s3", proxy=world.sandbox.proxy_url)
    s3.create_bucket(Bucket="hosted-bucket")
    s3.put_object(Bucket="hosted-bucket", Key="a b+c/é", Body=b"x" * 100_000)
    assert s3.head_object(Bucket="hosted-bucket", Key="a b+c/é")["ContentLength"] == 100_000
    assert len(s3.get_object(Bucket="hosted-bucket", Key="a b+c/é")["Body"].read()) == 100_000
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="hosted-bucket")["Contents"]] == ["a b+c/é"]


def test_gateway_endpoints_of_s3_follow_the_route_tables(world):
    ec2 = world.client("ec2")
    tables = [
        t["RouteTableId"]
        for t in ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [VPC]}])["RouteTables"]
    ]
    made = ec2.create_vpc_endpoint(VpcId=VPC, ServiceName="com.amazonaws.us-east-1.s3", RouteTableIds=tables)[
        "VpcEndpoint"
    ]["VpcEndpointId"]
    s3 = world.client("s3", proxy=world.sandbox.proxy_url, s3={"us_east_1_regional_endpoint": "regional"})
    s3.list_buckets()
    assert world.sandbox.decisions(operation="ListBuckets")[-1]["vpc_endpoint"] == made
    ec2.delete_vpc_endpoints(VpcEndpointIds=[made])
    s3.list_buckets()
    assert world.sandbox.decisions(operation="ListBuckets")[-1]["vpc_endpoint"] is None


def test_the_private_name_of_s3_leads_the_vpc_where_it_is_told(world, group):
    """An interface endpoint's is for on-premises networks alone unless it says otherwise; the VPC has a gateway endpoint."""
    admit(world, group)
    ec2 = world.client("ec2")
    inbound_only = "PrivateDnsOnlyForInboundResolverEndpoint"
    wanted = {
        "VpcId": VPC,
        "ServiceName": "com.amazonaws.us-east-1.s3",
        "VpcEndpointType": "Interface",
        "SubnetIds": SUBNETS,
        "SecurityGroupIds": [group],
        "PrivateDnsEnabled": True,
    }
    made = ec2.create_vpc_endpoint(**wanted, DnsOptions={inbound_only: False})["VpcEndpoint"]
    endpoint = made["VpcEndpointId"]
    assert made["DnsOptions"][inbound_only] is False

    def way():
        regional = {"us_east_1_regional_endpoint": "regional"}
        world.client("s3", proxy=world.sandbox.proxy_url, s3=regional).list_buckets()
        return world.sandbox.decisions(operation="ListBuckets")[-1]["vpc_endpoint"]

    assert way() == endpoint
    change = {"VpcEndpointId": endpoint, "DnsOptions": {inbound_only: True}}
    with pytest.raises(ClientError, match="must have a Gateway endpoint"):
        ec2.modify_vpc_endpoint(**change)
    gateway = ec2.create_vpc_endpoint(VpcId=VPC, ServiceName=wanted["ServiceName"])["VpcEndpoint"]
    ec2.modify_vpc_endpoint(**change)
    (told,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
    assert told["DnsOptions"][inbound_only] is True
    assert way() is None, "no route leads to the gateway endpoint, so it is the internet"
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint, gateway["VpcEndpointId"]])


def test_a_credential_for_another_region_is_refused(world, helpers):
    wrong = world.client(
        "bedrock", proxy=world.sandbox.proxy_url, url="https://bedrock.us-west-2.amazonaws.com"
    )
    assert "valid region" in helpers.message_of(wrong.list_guardrails)


def test_endpoints_come_and_go_under_load(world, helpers, group):
    admit(world, group)
    ec2 = world.client("ec2")
    wanted = {
        "VpcId": VPC,
        "ServiceName": RUNTIME,
        "VpcEndpointType": "Interface",
        "SubnetIds": SUBNETS,
        "SecurityGroupIds": [group],
    }

    def come_and_go(_):
        made = ec2.create_vpc_endpoint(**wanted, PrivateDnsEnabled=False)["VpcEndpoint"]["VpcEndpointId"]
        converse(world, helpers)
        ec2.delete_vpc_endpoints(VpcEndpointIds=[made])
        return made

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(come_and_go, range(8)))) == 8
