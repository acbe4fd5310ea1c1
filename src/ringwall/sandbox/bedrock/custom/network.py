"""A job in a VPC: its role looks at the subnets and security groups, and makes a network interface in each subnet.

The interfaces carry the tags that the user guide has the role's policy ask for, and are gone when the job is over. What
the job reads through them is not routed through the VPC's endpoints here.

https://docs.aws.amazon.com/bedrock/latest/userguide/vpc-model-customization.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringwall.sandbox.bedrock.service_role import ServiceRole
    from ringwall.sandbox.call import Call


def check_network(role: ServiceRole, call: Call, arn: str, tag: str) -> None:
    """Go through the network that a job names, with its role's rights.

    Args:
        role: the job's role.
        call: the call that makes the job.
        arn: the job.
        tag: key of the tag that names the job on its network interfaces.

    Raises:
        AwsError: the role may not, or a subnet or security group is not there.
    """
    network = call.parameters.get("vpcConfig")
    if not network:
        return
    groups = network["securityGroupIds"]
    role.do("ec2", "DescribeSubnets", {"SubnetIds": network["subnetIds"]})
    role.do("ec2", "DescribeSecurityGroups", {"GroupIds": groups})
    tags = [{"Key": "BedrockManaged", "Value": "true"}, {"Key": tag, "Value": arn}]
    for subnet in network["subnetIds"]:
        specification = [{"ResourceType": "network-interface", "Tags": tags}]
        wanted = {"SubnetId": subnet, "Groups": groups, "TagSpecifications": specification}
        made = role.do("ec2", "CreateNetworkInterface", wanted)["NetworkInterface"]["NetworkInterfaceId"]
        role.do("ec2", "DeleteNetworkInterface", {"NetworkInterfaceId": made})
